import { expect, test } from "vitest";
import { reasonInChinese } from "./reasons-zh";

test("what the mesher says of an element is said in Chinese, with its numbers, and what is not known stays", () => {
  expect(reasonInChinese("coarsened from 2432 to 326 triangles")).toBe("已从 2432 个三角形简化为 326 个");
  expect(reasonInChinese("a box stands in: the kernels found no surface")).toBe("以包围盒代替：几何内核没有得到表面");
  expect(reasonInChinese("openings could not be cut; something new")).toBe("洞口未能切出；something new");
});

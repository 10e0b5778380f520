/**
 * 网格化程序对单个构件的说明（服务器以英文记录在导入报告中，旧版本的报告也是如此）。按顺序取第一个匹配；`$1` 为原文中的数值或名称。
 */
export const reasons: readonly (readonly [RegExp, string])[] = [
  [/^a box stands in: (.*)$/, "以包围盒代替：$1"],
  [/^coarsened from (\d+) to (\d+) triangles$/, "已从 $1 个三角形简化为 $2 个"],
  [/^far from the origin: placed to within (\S+) m only$/, "距原点很远，定位精度只有 $1 m"],
  [/^openings could not be cut$/, "洞口未能切出"],
  [/^its curved surfaces are drawn coarsely$/, "曲面以较粗的精度绘制"],
  [/^its body has curves only, no surface$/, "只有曲线，没有表面"],
  [/^its surface has gaps where it was cut$/, "切割处的表面有缺口"],
  [/^its openings take all of its body$/, "洞口把整个构件都切掉了"],
  [/^the kernels found no surface$/, "几何内核没有得到表面"],
  [/^no kernel could mesh it along its alignment$/, "没有内核能沿其线位生成网格"],
  [/^no kernel could mesh it and its extent is not known$/, "没有内核能生成网格，且范围未知"],
  [/^no kernel could mesh it$/, "没有内核能生成网格"],
  [/^its bounding box stands in$/, "以包围盒代替"],
  [/^it was not meshed$/, "未生成网格"],
  [/^its body is flat to a point or endless$/, "几何退化为一点，或没有边界"],
  [/^its body could not be read \((.*)\)$/, "几何无法读取（$1）"],
  [/^its placement is relative to itself$/, "定位引用了自身"],
  [/^its placement is (\d+) levels deep$/, "定位嵌套了 $1 层"],
  [/^its placement cannot be followed$/, "定位无法解析"],
  [/^its geometry refers to itself$/, "几何引用了自身"],
  [/^its geometry is nested (\d+) levels deep$/, "几何嵌套了 $1 层"],
  [/^its geometry multiplies itself beyond measure$/, "几何自我重复，数量失控"],
];

/** 多个说明以分号相连；不认识的保持原文。 */
export function reasonInChinese(text: string): string {
  return text.split("; ").map((part) => {
    const found = reasons.find(([pattern]) => pattern.test(part));
    if (!found) return part;
    const [pattern, said] = found;
    return part.replace(pattern, (_, ...groups: string[]) => said.replace(/\$(\d)/g, (__, n: string) => reasonInChinese(groups[Number(n) - 1] ?? "")));
  }).join("；");
}

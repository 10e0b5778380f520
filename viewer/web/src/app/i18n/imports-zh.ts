/** 导入进度。 */
import type { imports as en } from "./imports-en";
import type { Plain } from "./zh";

export const imports: Plain<typeof en> = {
  counted: "构件 {{done}} / {{total}}", left: "预计还需 {{time}}", seconds_other: "预计还需 {{count}} 秒",
  shown_other: "已有 {{count}} 个楼层可以查看", look: "先看已有部分",
  failed: "最近一次上传失败：{{file}}", cancelled: "最近一次上传已取消：{{file}}",
};

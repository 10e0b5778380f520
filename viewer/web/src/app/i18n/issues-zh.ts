import type { Plain } from "./zh";
import type { checks as english, issues as englishIssues } from "./issues-en";

export const issues: Plain<typeof englishIssues> = {
  add: "新建问题", addView: "添加当前视图", addComment: "添加评论", assigned: "负责人", by: "{{who}} 提出", comment: "评论", comments: "评论",
  count_other: "{{count}} 个问题", created: "已新建问题 {{number}}", description: "描述", due: "期限",
  export: "导出 BCF", exportAs: "BCF {{version}}", import: "导入 BCF", importDone: "新建 {{created}} 个，更新 {{updated}} 个，拒绝 {{refused}} 个",
  labels: "标签", noneHint: "可在三维视图中新建，或导入设计软件的 BCF 文件。", none: "暂无问题", noneFound: "没有符合条件的问题", noneFoundHint: "请更换关键词或状态。", fromView: "从三维视图新建", noView: "需要附上截图和视点？请在三维视图中新建。",
  open: "打开问题", priority: "优先级", search: "搜索", show3d: "三维查看", status: "状态", anyStatus: "全部状态", title: "标题", titleMissing: "请简要说明问题",
  type: "类型", views: "视点", viewOf: "视点 {{n}}", withView: "将附上截图、相机位置和选中的构件。", imported: "已导入",
  statuses: { Open: "待处理", InProgress: "处理中", Solved: "已解决", Closed: "已关闭" },
  priorities: { Low: "低", Normal: "一般", High: "高", Critical: "紧急" },
  types: { Issue: "问题", Clash: "碰撞", Remark: "备注", Request: "需求" },
};

export const checks: Plain<typeof english> = {
  title: "模型检查", sub: "模型有哪些问题、为何重要、如何修复。", model: "模型", run: "立即检查", runIds: "用 IDS 文件检查…", running: "正在检查…",
  none: "尚未检查", noneHint: "可按内置规则检查模型，或按业主的 IDS 文档检查。", rules: "内置规则", history: "历次检查",
  pass: "通过", fail: "未通过", fine: "未发现问题", fix: "如何修复：", flyTo: "在三维中查看 {{id}}", more: "另有 {{count}} 个",
  severity: { error: "错误", warning: "警告", info: "提示" },
  colour: "三维着色", painted: "{{name}}：{{passed}} 个通过，{{failed}} 个未通过", of: "{{applicable}} 个中 {{passed}} 个通过", element: "构件", notApplicable: "模型中没有适用的构件。", none_of: "不适用",
  other: "针对其他 IFC 版本编写", requirements: "要求", elements_other: "{{count}} 个构件未通过", download: "报告",
  asBcf: "BCF 问题", asCsv: "表格（CSV）", asHtml: "网页（HTML）", noModels: "还没有模型", version: "版本 {{version}}",
  out: "导出", outHint: "带有补充信息的模型，以及设施管理清单。", ifc: "增强 IFC", cobie: "COBie 工作簿", list: "构件清单", making: "正在生成…", made: "{{name}} 已生成",
};

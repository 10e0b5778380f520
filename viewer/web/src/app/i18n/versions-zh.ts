/** 模型版本。 */
import type { versions as en } from "./versions-en";

export const versions: typeof en = {
  title: "版本变化", sub: "{{model}}：版本 {{from}} → {{to}}", open: "查看变化", show3d: "三维查看", csv: "表格 (CSV)", painted: "版本 {{from}} → {{to}}",
  compare: "比较", with: "与", same: "两个版本内容一致", sameHint: "没有新增、删除、移动或修改的构件。", search: "名称、标识或 GlobalId", all: "全部",
  tabs: { differences: "差异", matches: "识别的构件" },
  kind: { added: "新增", removed: "删除", changed: "修改", moved: "移动", rekeyed: "仅 GlobalId 变化" },
  change: { placement: "位置", shape: "形状", properties: "属性", type: "类型", containment: "归属", global_id: "GlobalId" },
  moved: "移动了 {{metres}} 米", before: "原值", after: "现值", more: "显示更多", flyTo: "在三维中查看 {{id}}", rollback: "恢复显示版本 {{n}}", rollbackTo: "恢复到此版本",
  rollbackSure: "恢复显示版本 {{n}}？", rollbackHint: "将作为新版本显示；不会丢失任何内容，构件上的绑定保持不变，之后可以用同样方式再回到新版本。",
  rollingBack: "正在恢复版本 {{n}}…", rolledBack: "已恢复显示版本 {{n}}", restored: "恢复 v{{n}}", failed: "恢复失败",
  matched: "已识别 {{certain}}，待确认 {{likely}}，丢失 {{lost}}",
  matches: {
    none: "所有 GlobalId 均未变化", noneHint: "当新文件中的构件 GlobalId 发生变化时，系统按形状、位置和名称在此识别它们。",
    likely: "待确认", likelyHint: "这些构件与已消失的构件相似。确认后，旧构件上的所有绑定随之转移。",
    lost: "丢失", lostHint: "新版本中没有相似的构件。如果您知道它现在是哪个构件，请指定。", certain: "已识别", certainHint: "形状、位置和类别一致，已自动应用。",
    confirm: "是同一构件", reject: "不是同一构件", correct: "是另一个构件…", correctTitle: "它现在是哪个构件？", correctHint: "输入其 GlobalId；只能选择该版本新增的构件。",
    score: "相似度 {{percent}} %", away: "相距 {{metres}} 米", bound: "已绑定", old: "原", new: "现",
    reason: { position: "位置", shape: "形状", tag: "标识", name: "名称", type: "类型", place: "楼层" },
    binding: { points: "{{count}} 个测点", assets: "资产", orders: "{{count}} 个工单", alarms: "{{count}} 个告警", plans: "{{count}} 个计划", properties: "自定义属性" },
    state: { applied: "已应用", waiting: "待确认", lost: "丢失", confirmed: "已确认", rejected: "已否定", corrected: "已更正" },
    some: "仅显示前 {{count}} 项。",
  },
};

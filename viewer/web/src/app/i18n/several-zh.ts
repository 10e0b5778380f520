/** 多选、可移动的面板与构件历史。 */
export const several = {
  title: "已选构件", count_other: "已选 {{count}} 个", adding: "每次点击加选或取消", addingNote: "点按构件可加选或取消", done: "完成",
  all: "对全部已选构件", ghost: "半透明", trends: "把它们的测点画成曲线（{{count}}）", save: "存为集合", onlyThese: "只留这些", onlyThis: "只看这一个", out: "去掉 {{name}}",
  facts: "共同信息", storey: "楼层", varied_other: "{{count}} 种不同的值", none: "无", more: "另有 {{count}} 种", also: "加入选择",
  unknown_other: "其中 {{count}} 个在这里已不存在",
  panels: { structure: "建筑", systems: "系统", search: "搜索", saved: "收藏", inspector: "详情", plan: "平面图", alarms: "报警", trend: "趋势" },
  sides: { left: "放在左侧", right: "放在右侧", bottom: "放在下方" }, move: "把{{name}}移到…", close: "关闭{{name}}", panelsTitle: "面板", reset: "恢复默认布局",
  nothingChosen: "未选择构件", nothingChosenHint: "在模型中点击构件；按住 Ctrl 或 Shift 可多选。", noAlarms: "没有未关闭的报警", noTrend: "没有可画的曲线", noTrendHint: "请选择有测点的构件。", splitterBottom: "下方面板的高度",
  history: "历史", versions: "模型版本", audit: "操作记录", since: "自第 {{n}} 版起在模型中", until: "自第 {{n}} 版起不在模型中", changedIn: "第 {{n}} 版", wasThere: "自第 {{n}} 版起未变",
  noAudit: "没有人改动过", relations: "关系", part: "属于", parts: "组成部分", documents: "文档", became: "{{name}}改为{{value}}", gone: "已删除", showAll: "全部 {{count}} 项",
};

/** 多选、可移动的面板与构件历史。 */
export const several = {
  title: "已选构件", count_other: "已选 {{count}} 个", adding: "每次点击加选或取消", addingNote: "点按构件可加选或取消", done: "完成",
  all: "对全部已选构件", ghost: "半透明", save: "存为集合", onlyThese: "只留这些", onlyThis: "只看这一个", out: "去掉 {{name}}",
  facts: "共同信息", storey: "楼层", varied_other: "{{count}} 种不同的值", none: "无", more: "另有 {{count}} 种", also: "加入选择",
  unknown_other: "其中 {{count}} 个在这里已不存在",
  panels: { building: "建筑", inspector: "详情", plan: "平面图", alarms: "告警", trend: "曲线" },
  sides: { left: "放在左侧", right: "放在右侧", bottom: "放在下方", beside: "放在模型旁" }, move: "把{{name}}移到…", close: "关闭{{name}}", open: "在下方打开{{name}}", reset: "恢复面板默认位置",
  openAlarms: "在模型下方打开告警", openTrend: "在模型下方打开所选构件的曲线", noAlarms: "没有未关闭的告警", noTrend: "没有可画的曲线", noTrendHint: "请选择有测点的构件，或从结构树、查找结果、详情里把测点拖到这里。", splitterBottom: "下方面板的高度",
  history: "历史", versions: "模型版本", audit: "操作记录", since: "自第 {{n}} 版起在模型中", until: "自第 {{n}} 版起不在模型中", changedIn: "第 {{n}} 版",
  noAudit: "没有人改动过", kinds: {
    part: { from: "组成部分", to: "属于" }, whole: { from: "组成部分", to: "属于" }, fills: { from: "填充", to: "被填充" }, voids: { from: "洞口所在", to: "洞口" }, connects: { from: "连接", to: "连接" },
    path: { from: "相接", to: "相接" }, feeds: { from: "供给", to: "由其供给" }, covers: { from: "覆盖", to: "被覆盖" }, controls: { from: "控制", to: "受控于" }, bounds: { from: "围合", to: "围合构件" },
    assigned_to: { from: "分配给", to: "分配到此" }, references: { from: "还包含", to: "还属于" },
  }, documents: "文档", gone: "已删除", showAll: "全部 {{count}} 项",
  toChart: "加入曲线", showDrawn: "在模型中选中所画的构件", draw: "画出{{name}}", keepChart: "保留这条曲线", dropHere: "把测点拖到这里画曲线", inTrends: "在趋势页打开", noCharts: "移除全部曲线", range: "显示时段", notMeasured: "没有测点可画",
  onlySome: "只画了 {{all}} 个测点中的 {{count}} 个：一张图放不下更多", chartsFull: "已满：最多 {{charts}} 张图，每张 {{lines}} 条曲线",
};

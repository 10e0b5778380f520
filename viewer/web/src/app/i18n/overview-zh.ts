/** 业主总览。 */
export const overview = {
  allBuildings: "全部楼宇", print: "打印", asOf: "截至 {{when}}", size: "{{spaces}} 个房间 · {{elements}} 个构件 · {{area}} m²", points: "{{all}} 个传感器和表计中 {{online}} 个按时上报", pointsNone: "暂无传感器或表计",
  where: "所在位置：{{places}}", whereNone: "楼内没有需要标出的位置",
  safety: {
    title: "安全", fireNow: "火警", safe: "一切安全", attention_other: "{{count}} 条告警", liftOut_other: "{{count}} 部电梯故障", unknown: "未接入监测",
    alarms: "告警", alarmsNone: "没有未关闭的告警", alarmsOpen_other: "{{count}} 条未关闭", unacked_other: "{{count}} 条未确认",
    fire: "消防系统", fireOk: "无火警，{{points}} 个探测点中 {{speaking}} 个正常上报", fireAlarm_other: "{{count}} 个探测点报火警",
    fireSilent: "模型中有 {{devices}} 个探测器，均未接入", fireNone: "模型中没有火灾探测器",
    lifts: "电梯", liftsOk_other: "{{count}} 部电梯全部正常", liftFault: "故障：{{names}}", liftSilent: "无信号：{{names}}", liftUnwatched_other: "{{count}} 部电梯，未接入", liftNone: "模型中没有电梯",
  },
  comfort: { title: "舒适", value: "的房间温度舒适", note: "{{rooms}} 个房间中 {{comfortable}} 个在 {{low}}–{{high}} °C 之间", mean: "平均 {{mean}} °C", none: "暂无房间温度数据" },
  use: {
    electricity: "用电", heat: "用热", water: "用水", gas: "用气", thisMonth: "本月至今", more: "比去年同期多 {{percent}}", less: "比去年同期少 {{percent}}", same: "与去年同期持平", noLast: "没有去年的数据", noData: "本月没有读数",
    since: "自 {{when}} 起计量", quota: "定额 {{quota}}", used: "已用本月定额的 {{percent}}", expected: "照此到月底约 {{amount}}", within: "定额以内", near: "接近定额", over: "超出定额", heading: "预计超出定额",
    year: "今年累计 {{amount}}", yearQuota: "全年定额的 {{percent}}", noQuota: "未设定额", months: "逐月用量", thisYear: "近 12 个月", lastYear: "上年同月",
    from: { supply: "总表实测", meters_other: "{{count}} 块表合计" }, power: "当前 {{power}} kW", storeys: "颜色越深的楼层用得越多",
    month: "{{month}}：{{amount}}，上年同月 {{before}}", none: "暂无能源表或水表", noneHint: "Brick 类别为 Energy_Sensor、Water_Usage_Sensor 的测点，以及模型中的电表、水表、气表会计入此处。",
  },
  orders: {
    title: "维修与满意度", open_other: "个未完成工单", overdue_other: "{{count}} 个已超期", none: "没有待修事项", inTime: "近 90 天按时完成 {{percent}}", verified_other: "近 30 天完成 {{count}} 个",
    stars_other: "{{count}} 份评价，平均 {{stars}} 星（满分 5 星）",
  },
  works: { title: "近期工作", none: "未来两周没有到期的工作", value_other: "项工作在两周内到期", planned: "计划", overdue: "已超期" },
  quota: {
    button: "定额", title: "能耗与用水定额", medium: "类别", year: "年份", fill: "按去年用量填写", sum: "全年合计：{{sum}}", save: "保存", saved: "定额已保存", hint: "某月留空表示不设定额；某年未设置时沿用上一年的定额。",
  },
  rate: { title: "您对这次维修满意吗？", label: "星级", comment: "哪里满意，哪里不满意？", send: "提交", thanks: "感谢您的评价", mine: "您的评价", none: "暂无评价", star_other: "{{count}} 星" },
  list: { title: "全部楼宇", sub_other: "{{count}} 栋楼一览", open: "打开{{building}}", more: "显示更多", energy: "用电", water: "用水" },
};

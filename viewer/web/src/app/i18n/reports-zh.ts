/** 报表。 */
export const reports = {
  title: "报表", sub_other: "本建筑共 {{count}} 个报表", none: "还没有报表", noneHint: "报表按日、周、月或年汇总能耗、测点、告警和工单。可随时生成，也可按计划自动生成，每次生成的结果都会保存。",
  create: "新建报表", edit: "编辑报表", copy: "复制", copyOf: "{{name}} 副本", deleteSure: "删除报表“{{name}}”？", deleteHint: "已生成的报表在保存期限内仍会保留。", saved: "报表已保存", by: "创建人 {{name}}", private: "仅自己可见", sharedWithAll: "已共享",
  make: "生成", makeNow: "生成报表", makeHint: "生成所选周期的报表；周期未结束时，只统计到现在为止的部分。", which: "周期", lastWhole: "最近一期", making: "生成中", made: "已生成的报表", madeNone: "还没有生成过", madeNoneHint: "生成的报表会按当时的数据保存在这里。", all: "全部报表",
  nextDue: "下次 {{when}}", onDemand: "手动生成", ended: "计划已结束",
  period: { day: "日", week: "周", month: "月", quarter: "季度", year: "年", range: "自选" },
  each: { day: "日报", week: "周报", month: "月报", quarter: "季报", year: "年报", range: "{{first}} – {{last}}" },
  state: { waiting: "生成中", done: "已生成", failed: "失败" },
  soFar: "未结束", scheduled: "按计划", asked: "申请人 {{name}}", open: "打开", back: "全部报表", print: "打印", excel: "Excel", csv: "CSV", failedTitle: "报表未能生成", again: "重新生成", waitTitle: "正在生成报表", waitHint: "完成后会在此处打开，您可以先离开本页。",
  madeAt: "{{when}} 为 {{name}} 生成", madeBySchedule: "{{when}} 按 {{name}} 的计划生成", digest: "SHA-256 {{digest}}", digestHint: "审计记录中保存了该摘要，报表若被改动，摘要将不一致。", withheld: "您无权查看这些数据", zone: "时间按 {{zone}}", notOver: "生成报表时该周期尚未结束，仅统计到 {{when}}。", gone: "已不存在：{{points}}",
  form: {
    name: "名称", nameHint: "能耗与舒适度", nameMissing: "请填写报表名称", period: "统计周期", days: "日期", daysMissing: "请选择日期", sections: "内容", sectionMissing: "报表至少包含一项内容", add: "添加内容", up: "上移", down: "下移", remove: "移除", sectionTitle: "标题（可选）", text: "文字", textHint: "空行分段", textMissing: "请填写文字，或移除该项",
    points: "测点", pointsHint: "搜索测点", pointsMissing: "请至少选择一个测点", low: "从", high: "到", limitsHint: "不填上下限时，按测点的告警规则判断。", ackWithin: "确认时限", minutes: "分钟", sharing: "与能查看本建筑的所有人共享", schedule: "自动生成", start: "首次时间", tell: "通知", tellHint: "每次生成后发送消息；仅限已共享的报表", save: "保存",
  },
  kind: { overview: "概览", use: "能源与水", chart: "曲线", points: "测点统计", alarms: "告警", orders: "工单", text: "文字" },
  kindHint: { overview: "生成报表时的总览数据", use: "与上一周期、上年同期和定额对比", chart: "最多八个测点的变化曲线", points: "平均、最小、最大、达标占比、数据中断", alarms: "按级别和原因统计，最久、长期存在、确认及时率", orders: "新建、完成、及时率、未完成", text: "自己的说明" },
  overview: { at: "生成报表时", alarms: "未关闭告警", comfort: "舒适房间", orders: "未完成工单", overdue: "{{count}} 项逾期", points: "按时上报的测点", power: "当前功率", fire: "报警的火灾探测器", lifts: "故障电梯", area: "建筑面积", rooms: "{{count}} 个房间" },
  use: { used: "用量", before: "上一周期", yearBefore: "上年同期", quota: "定额", within: "定额以内", near: "接近定额", over: "超出定额", unknown: "未知", incomplete: "部分表计缺少该周期的完整数据", since: "自 {{when}} 起计量", course: "分时用量", byStorey: "分层用量", storey: "楼层", amount: "用量", none: "没有能源或水表", change: "{{percent}}" },
  points: { point: "测点", place: "位置", mean: "平均", min: "最小", max: "最大", limits: "限值", within: "达标", known: "有数据", gaps: "中断", longest: "最长 {{long}}", from: "自 {{when}}", noLimits: "无", byRules: "按告警规则", none: "没有读数", rawFrom: "{{when}} 之前的读数已清除，达标与中断自此计算", count_other: "{{count}} 个读数" },
  alarms: { raised: "发生", timely: "按时确认", ofThem: "{{long}}内", open: "期末未关闭", mean: "平均确认时间", severity: "级别", late: "超时", byClass: "涉及对象", byRule: "最频繁的规则", longest: "未关闭最久", standing: "长期存在：期末时条件已持续超过一天", lasting: "未关闭时长", held: "持续时长", noElement: "未关联构件", none: "本周期没有告警", stillOpen: "仍未关闭" },
  orders: { created: "新建", done: "完成", timely: "按时完成", open: "期末未完成", overdue: "逾期", mean: "平均完成时间", priority: "优先级", origin: "来源", oldest: "期末未完成（最早在前）", stars: "满意度", starsOf_other: "{{stars}} / 5，{{count}} 条评价", from: { alarm: "告警", plan: "计划", manual: "人工" }, none: "本周期没有工单", due: "时限", noDue: "未设时限", verified: "已验收", cancelled: "已取消" },
};

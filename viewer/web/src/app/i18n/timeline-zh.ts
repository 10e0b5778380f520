/** 时间轴。 */
export const timeline = {
  title: "时间轴", play: "播放", pause: "暂停", speed: "倍速", window: "时间范围", moment: "时刻", present: "现在", back: "回到现在", close: "关闭时间轴", earlier: "更早", later: "更晚", goTo: "转到：{{what}}",
  alarms_other: "{{count}} 条告警", orders_other: "{{count}} 张未完工单",
  span: { h1: "1 小时", h6: "6 小时", d1: "1 天", d7: "7 天", d30: "30 天", y1: "1 年" },
};

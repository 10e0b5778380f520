/** 时间轴。 */
export const timeline = {
  title: "时间轴", play: "播放", pause: "暂停", speed: "倍速", window: "时间范围", moment: "时刻", present: "现在", back: "回到现在", close: "关闭时间轴", earlier: "更早", later: "更晚", goTo: "转到：{{what}}",
  alarms_other: "{{count}} 条告警", orders_other: "{{count}} 张未完工单",
  span: { h1: "1 小时", h6: "6 小时", d1: "1 天", d7: "7 天", d30: "30 天", y1: "1 年" },
  lastDay: "最近 24 小时", ofStorey_other: "{{storey}}：{{count}} 条告警",
  state: { on: "运行中", off: "停止", open: "打开", closed: "关闭", fault: "故障", unknown: "无数据" },
  compare: "对比两个时刻", compareEnd: "结束对比", comparedAs: "对比方式", split: "并排", difference: "差异", earlierMoment: "较早时刻", laterMoment: "较晚时刻", line: "两个时刻的分界线", pickQuantity: "选择着色的量，即可看到它的变化。", change: "变化", changed: "{{what}}的变化",
  export: "导出", clip: "视频", series: "图片", pictures: "时间范围内的图片数", seconds: "{{count}} 秒", making: "第 {{done}} / {{all}} 张", done: "已保存为 {{name}}", stop: "停止", failed: "无法生成视频：{{reason}}", noClip: "此浏览器不能生成视频，请导出图片。", size: "{{width}} × {{height}} 像素", from: "从", to: "至",
};

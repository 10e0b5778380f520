/** 趋势、测点、数据源、历史：关于读数的一切。 */
export const telemetry = {
  trends: {
    add: "添加测点", addPoint: "绘制{{name}}", chart: "曲线图", chartNumber: "曲线图 {{number}}", chartMenu: "曲线图 {{number}}：更多", close: "移除曲线图", up: "上移", down: "下移", copied: "链接已复制", copy: "复制此视图的链接",
    compare: { title: "对比", none: "不对比", before: "上一时段", week: "一周前", year: "去年同期" },
    deviation: "标准差", dropNew: "把测点拖到这里，单独成图", earlier: "更早", later: "更晚",
    export: { title: "导出", csv: "读数（CSV）", parquet: "读数（Parquet）", arrow: "读数（Arrow）", png: "图片（PNG）" },
    failed: "{{name}}读取失败，点击重试", forget: "删除视图{{name}}", histogram: "分布", histogramLabel: "直方图，从 {{from}} 到 {{to}}",
    keys: "方向键移动光标，按住 Shift 移动图；加号和减号缩放；Home 和 End 到两端；退格键返回上一步。",
    live: "实时", liveHint: "跟随时间，新数据自动出现", max: "最大", mean: "平均", median: "中位数", min: "最小", moreMarks: "另有 {{count}} 条",
    none: "想看哪些测点？", noneHint: "从左侧列表拖一个测点到这里，或点击加号。", noneHintPhone: "添加一个或多个测点，每种单位各有一根坐标轴。", noStatistics: "无法统计", nothing: "这段时间没有读数",
    preset: { "1h": "1 小时", today: "今天", "24h": "24 小时", "7d": "7 天", "30d": "30 天", "90d": "90 天", "1y": "一年", custom: "自定义" },
    range: "时间范围", readings: "读数", removePoint: "从图中移除{{name}}", said: "{{name}}：平均 {{mean}}，{{min}} 至 {{max}}", saidNothing: "{{name}}：没有读数", save: "保存此视图", saved: "已保存视图“{{name}}”", savedHere: "视图保存在此浏览器中；要给别人看，请复制链接。",
    shareOn: "{{percent}}% 时间开启", shown: { title: "显示", bands: "每格的最大最小值", marks: "告警与工单", statistics: "统计", table: "数据表" },
    statistics: "统计", summary: "{{from}} 至 {{to}}。{{lines}}", textPoint: "文本不能绘制", time: "时间", tools: "曲线图工具", viewName: "视图名称", views: "保存的视图与链接", zoomIn: "放大", zoomOut: "缩小",
  },
  points: { title: "测点", point: "测点", search: "搜索测点", noneFound: "没有匹配的测点", noneFoundHint: "换个词试试。" },
};

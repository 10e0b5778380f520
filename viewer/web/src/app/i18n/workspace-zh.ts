/** 三维视图的搜索、保存项、规则、面板与命令。 */
export const workspace = {
  saved: "已保存", by: "排列方式", by_: { storey: "楼层与房间", class: "类别", type: "类型", system: "系统", zone: "分区", space: "房间", discipline: "专业", model: "模型" },
  without: "无", noGroups: "此建筑中没有", isolate: "单独显示", hide: "隐藏", fly: "飞到此处", colour: "着色", table: "表格 (CSV)",
  found_other: "{{count}} 个构件", nothing: "没有找到", withResults: "对搜索结果", searchHint: "输入文字，或如下条件：",
  noneHint: "换个词试试？* 代表任意字符，~ 表示包含。", saveSearch: "保存此搜索",
  save: { search: "保存此搜索", rules: "保存规则", viewpoint: "保存此视图" }, name: "名称", share: "与可查看此建筑的所有人共享", unshare: "取消共享", shared: "已共享",
  keepView: "保存视图", newRules: "着色规则", noneSaved: "尚无保存项", noneSavedHint: "保存视图以便返回，保存搜索，或保存为建筑着色的规则。",
  kinds: { viewpoint: "视图", rules: "着色规则", search: "搜索" }, copyLink: "复制链接", searchWithin: "在其中搜索", linkCopied: "链接已复制", copyRules: "打开副本", by_who: "由 {{who}} 创建", more: "{{name}} 的更多操作",
  rules: "着色规则", try: "试用", label: "颜色 {{n}} 的说明", labelHint: "含义", query: "颜色 {{n}} 的查询", up: "颜色 {{n}} 提前", drop: "移除颜色 {{n}}", addRule: "添加颜色",
  others: "其余构件", ghosts: "半透明", asTheyAre: "保持原样", example: { name: "缺少耐火等级", missing: "缺少耐火等级", there: "已填耐火等级" },
  undo: "撤销", redo: "重做", splitter: { left: "左侧面板宽度", right: "右侧面板宽度", plan: "平面图宽度" },
  palette: "命令", paletteHint: "命令、页面、构件…", noCommand: "没有这样的命令或构件", page: "页面", command: "命令", element: "构件", view: "视图", searchFor: "搜索“{{text}}”", actions: { fit: "适应视图", all: "显示全部", plan: "在模型旁显示平面图", labels: "显示或隐藏标签", noColour: "结束着色", panel: "显示或隐藏左侧面板", saveView: "已保存的视图与规则" },
  fact: { same: "查找同值的全部构件", without: "查找没有“{{name}}”的构件", colour: "按“{{name}}”着色", group: "结构树按“{{name}}”排列", others: "其他值", properties: "属性", anySet: "任意属性集" },
};

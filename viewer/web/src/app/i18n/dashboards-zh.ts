/** 看板与大屏。 */
export const dashboards = {
  sub: "一眼看到关心的内容，实时更新", none: "还没有看板", noneHint: "看板把数值、曲线、告警和三维建筑放在一起，可在桌面查看，也可投到大屏。", template: "按本建筑自动生成", empty: "空白看板", import: "从文件导入", create: "新建看板", newName: "看板", copyOf: "{{name}} 的副本", makeCopy: "另存为我的副本",
  widgets_other: "{{count}} 个部件", by: "来自 {{name}}", shared: "已共享", private: "仅自己可见", sharing: "可见范围", name: "名称", all: "全部看板", copy: "复制 {{name}}", export: "将 {{name}} 存为文件", remove: "删除 {{name}}", removeSure: "删除看板“{{name}}”？", removeHint: "其他人也在使用它。", noFile: "这不是看板文件。请选择在此处“存为文件”得到的文件。",
  noWidgets: "还没有内容", noWidgetsHint: "点“编辑”，添加部件。", add: "添加部件", undo: "撤销", pack: "消除空隙", changedTitle: "它已在别处被修改", changedHint: "其他窗口在此期间保存了这个看板。可将您的版本另存为副本，或重新载入并放弃您的修改。", saveCopy: "另存为副本", loadAgain: "重新载入",
  grip: "移动 {{title}}", gripHint: "拖动，或用方向键移动；按住 Shift 改变大小", placed: "第 {{x}} 列，第 {{y}} 行，宽 {{w}}，高 {{h}}", settingsOf: "{{title}} 的设置", removeWidget: "移除 {{title}}",
  kind: { value: "数值", gauge: "仪表", light: "状态灯", chart: "曲线", comparison: "对比", table: "最新值", alarms: "未关闭告警", orders: "未完成工单", clock: "时钟", plan: "楼层平面", scene: "三维视图", text: "文本" },
  kindHint: { value: "单个测点，大字显示，带趋势", gauge: "单个测点在上下限之间的位置", light: "开、关、正常或异常", chart: "一段时间内的曲线，实时更新", comparison: "与上一时段相比", table: "多个测点的列表", alarms: "需要处理的告警", orders: "正在处理的工单", clock: "建筑所在地的时间", plan: "按物理量为房间着色", scene: "实时着色的建筑", text: "自己的文字，可含链接" },
  gone_other: "{{count}} 个测点已不存在", retired: "{{when}} 停用", noReading: "尚无读数", beyond: { low: "低于 {{limit}}", high: "高于 {{limit}}" }, trend: { up: "上升", down: "下降", same: "平稳" }, toNow: "回到现在", mayNot: "您无权查看。", andMore: "…… 还有更多", noOrders: "没有未完成的工单", storeyGone: "该楼层已不存在", quantityGone: "该物理量已不存在",
  last: { hour: "最近 1 小时", day: "最近 24 小时", week: "最近 7 天", month: "最近 30 天", year: "最近 365 天" }, before: "此前同样时长", counted: "用量", mean: "平均", point: "测点", points: "测点", value: "数值", age: "读取",
  titleField: "标题", titleHint: "默认与内容相同", limits: "上下限", limitsHint: "超出时会标出；仪表的量程即为上下限。", low: "下限", high: "上限", period: "时段", markdownHint: "Markdown：# 标题，**粗体**，*斜体*，- 列表，[文字](https://…)", viewpoint: "视点", viewpointHint: "视点在三维视图中保存。", wholeBuilding: "整栋建筑", keptView: "此处保存的视点", storey: "楼层", allStoreys: "全部", firstStorey: "第一个有房间的楼层", quantity: "着色", noColours: "不指定", ofRooms: "房间", ofEquipment: "设备",
  temperatures: "温度", use: "用量",
  wall: "大屏", wallStart: "开始", wallHint: "全屏、深色、大字。空格暂停，方向键翻页，Esc 退出。", wallLasts: "此账号只能查看：在登录有效期内，大屏保持登录。", wallEnds: "此账号可以进行修改，因此无人操作 {{minutes}} 分钟后会退出登录。长期展示请在大屏上打开大屏链接。", every: "每个显示", wallNothing: "未选择看板。", previous: "上一个", next: "下一个", pause: "暂停", goOn: "继续", leave: "退出", away: "自 {{when}} 起与服务器失去连接：以下数值不是最新的",
  screenHint: "打开专用链接的大屏会一直保持登录，断电后也无需再次登录。它只能查看本建筑，不能修改任何内容。如需停用：", screenLink: "生成大屏链接", screenPrivate: "请先共享“{{name}}”：大屏只能看到已共享的看板。", screenMade: "大屏链接", screenOnce: "链接仅显示这一次。请在大屏的浏览器中打开。持有链接的人都可以查看本建筑。", screenName: "大屏：{{name}}",
  openLead: "本建筑的大屏", openWaiting: "服务器暂无响应，正在重试…", openFailed: "此链接无法打开大屏", screenEnded: "此大屏已停用", openVoid: "链接已停用，或复制不完整。请向管理员索取新的链接。", openIncomplete: "链接不完整。请完整复制，包括 # 之后的内容。",
};

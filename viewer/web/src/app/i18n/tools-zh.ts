/** 测量、剖切、漫游。 */
export const tools = {
  title: "测量、剖切、漫游", measure: "测量", section: "剖切", look: "查看", end: "结束工具", close: "闭合", remove: "删除", removeAll: "全部删除", nothing: "无法测量",
  what: { distance: "距离", clear: "净距", angle: "角度", area: "面积" },
  box: "整栋剖切盒", boxStorey: "当前楼层剖切盒", boxSelected: "选中构件剖切盒", boxOn: "剖切盒：拖动手柄调整", plane: "沿表面剖切", planeOn: "剖切面：拖动手柄调整", flip: "反向", noSection: "取消剖切",
  walk: "漫游", apart: "楼层分离", apartOn: "楼层间距", orthographic: "正交视图", link: "复制当前视图链接", linkCopied: "视图链接已复制",
  parts: "水平 {{level}}，竖直 {{height}}", perimeter: "周长 {{length}}", notFlat: "各点不在同一平面上", crosses: "轮廓自相交",
  hint: {
    distance: "点击起点", distanceEnd: "点击终点", clear: "点击一个表面：沿垂直方向量到对面", angle: "点击一条边上的点", angleMiddle: "点击顶点", angleEnd: "点击另一条边上的点",
    area: "依次点击各角点，再次点击第一个点闭合", plane: "点击要沿其剖切的表面", walk: "点击要站立的地面位置", walking: "用 W A S D 或方向键行走，拖动环顾，点击前往，按住 Shift 加速",
  },
  face: { west: "西侧面", east: "东侧面", south: "南侧面", north: "北侧面", bottom: "底面", top: "顶面", plane: "剖切面" },
  through: "逐层飞行浏览",
  picture: {
    title: "画面", memory: "模型内存", memoryAuto: "随设备自动", size: "{{count}} MB", elsewhere: "不属于任何楼层", others_other: "其他 {{count}} 层", close: "关闭", retry: "重试",
    ambient: { auto: "转角阴影：随设备自动", on: "显示转角阴影", off: "不显示转角阴影" },
    failed_other: "模型有 {{count}} 部分无法加载：",
    leftOut_other: "内存不足，未显示 {{elements}} 个构件：", leftOutHint: "靠近查看，或减少显示的楼层、图层，即可加载。", more: "允许使用 {{size}}",
    lost: "显卡正在重置，画面会自动恢复。",
  },
  go: { forward: "前进", back: "后退", left: "左转", right: "右转" },
};

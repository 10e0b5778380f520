/** Accounts, roles, grants, keys, audit. */
import type { Texts } from ".";
import type { Plain } from "./zh";

export const access: Plain<Texts["access"]> = {
  about: {
    session: "登录会话", me: "本人账号", second_factor: "二次验证", account: "账号", role: "角色", grant: "授权", key: "API 密钥", audit: "审计记录", model: "模型", building: "楼栋", point: "测点",
    source: "数据源", alarm: "告警", alarm_rule: "告警规则", work_order: "工单", plan: "保养计划",
  },
  accounts: {
    account: "账号", create: "创建账号", disable: "停用", disableHint: "该账号的所有会话将在数秒内结束，历史操作记录保留。", disableSure: "确定停用账号“{{name}}”？",
    enable: "启用", factorRemove: "解除二次验证", factorRemoveHint: "用于手机和恢复码均已丢失的情况。重新启用前，该账号仅凭密码即可登录。",
    factorRemoveSure: "确定解除“{{name}}”的二次验证？", factorRemoved: "已解除二次验证", firstRole: "初始角色", firstRoleHint: "创建后可继续授予其他位置的其他角色。", forever: "长期有效",
    handOver: "{{name}} 的密码", handOverLead: "请当面或电话告知本人，密码不会再次显示。", lastAt: "上次登录 {{at}}", lastLogin: "最近登录", limits: "登录限制：时段、网络、有效期",
    made: "已创建账号“{{name}}”", mustChange: "待改密码", name: "登录名", nameHint: "字母、数字及 . @ + - _", neverIn: "从未登录", new: "新建账号", none: "没有符合条件的账号",
    noneHint: "请更换关键词或状态。", notOneself: "不能停用自己的账号", profile: "资料与限制", requireFactor: "必须启用二次验证",
    requireFactorHint: "未启用时，登录后须先完成设置才能使用系统。", rights: "角色与范围", search: "姓名、角色或位置", state: "状态",
    status: { all: "全部", active: "正常", locked: "已锁定", disabled: "已停用", expired: "已过期", unprotected: "未启用二次验证" },
    sub_other: "共 {{count}} 个账号", unlock: "解锁", unlocked: "账号已解锁", validUntil: "有效期至", validUntilHint: "适用于访客和外包人员，到期后无法登录。",
  },
  audit: {
    action: "操作", actor: "操作人", allOf: "{{about}}的全部操作", anyAction: "全部操作", address: "来源地址", after: "变更后", anonymous: "未登录", anyResult: "全部结果", at: "时间", before: "变更前", changes: "变更内容", clear: "清除筛选", cli: "命令行",
    credential: "登录凭据", exact: "准确时间", export: "导出", field: "字段", format: { csv: "CSV（电子表格）", jsonl: "JSON Lines（程序处理）" }, kept_other: "{{count}} 项未变",
    kind: { added: "新增", removed: "删除", changed: "修改" }, noChange: "该操作没有变更前后的内容。", none: "没有记录", noneHint: "没有符合筛选条件的审计记录，可扩大时间范围。", number: "第 {{seq}} 条",
    object: "对象", only: "仅显示此项", q: "搜索对象和变更内容", request: "请求编号", result: { done: "成功", refused: "拒绝", failed: "失败" }, resultLabel: "结果", seal: "链条",
    span: { label: "时间范围", hour: "近 1 小时", day: "近 24 小时", week: "近 7 天", month: "近 30 天", all: "全部", custom: "自定义时间" },
    sub: "谁在何时何地做了什么。任何人都不能修改，包括管理员。", waiting: "正在封存", who: "操作人",
  },
  chain: {
    anchored: "库外锚定至第 {{seq}} 条", broken: "审计记录已被篡改", neverVerified: "尚未校验", notAnchored: "尚未锚定", sealed: "已封存至第 {{seq}} 条",
    title: "审计链状态", unsealed_other: "{{count}} 条正在封存", verified: "已校验 {{entries}} 条", verify: "立即校验",
    trouble: {
      deleted: "记录被删除", edited: "记录被修改", reordered: "记录被调换顺序", rewritten: "链条被重写", cut: "最新记录被截断", anchor_edited: "锚点被修改", anchor_cut: "锚点被截断", anchor_missing: "锚点缺失",
    },
    whole: "审计记录完整",
  },
  copied: "已复制",
  copy: "复制",
  did: {
    quotaSet: "设置定额", workOrderRate: "评价工单",
    accountPassword: "管理员重置密码", accountUnlock: "解锁账号", accountWrite: "修改账号", accountRead: "查看账号", alarmAcknowledge: "确认告警",
    alarmComment: "备注告警", alarmShelve: "搁置告警", alarmUnshelve: "取消搁置告警", alarmReset: "复位告警", alarmRuleWrite: "修改告警规则", assetWrite: "修改资产", auditExport: "导出审计记录",
    auditPrune: "清理到期审计记录", auditRead: "查看审计记录", auditVerify: "校验审计记录", buildingWrite: "修改楼栋", elementWrite: "修改构件", grantGive: "授予角色", grantTake: "撤销角色",
    jobCancel: "取消任务", keyRotate: "轮换 API 密钥", keyWrite: "修改 API 密钥", mePassword: "修改本人密码", meWrite: "修改本人资料",
    modelRollback: "回退模型版本", modelUpload: "上传模型", planWrite: "修改保养计划", pointCommand: "下发控制指令", pointCreate: "新建测点", pointUpdate: "修改测点", roleChange: "修改角色",
    roleCreate: "新建角色", roleDelete: "删除角色", secondFactorBegin: "开始设置二次验证", secondFactorCodes: "重新生成恢复码", secondFactorDisable: "关闭二次验证", secondFactorEnable: "启用二次验证",
    secondFactorRecovery: "使用恢复码登录", secondFactorReset: "管理员解除二次验证", sessionEnd: "结束会话", sessionLogin: "登录", sessionLogout: "退出登录", requestSignIn: "登录", requestSecondStep: "登录二次验证",
    sourceCreate: "新建数据源", sourceWrite: "修改数据源", workOrderAssign: "派发工单", workOrderCancel: "取消工单", workOrderCreate: "新建工单", workOrderDone: "工单完工上报",
    workOrderVerify: "工单验收", workOrderWrite: "处理工单",
  },
  done: "完成",
  factor: {
    goOn: "继续",
    due: "须启用，未设置", dueLead: "该账号须先启用二次验证才能使用系统。", enrolled: "二次验证已启用", enter: "输入应用当前显示的 6 位数字。",
    hint: "登录时除密码外还需身份验证器中的动态码，可防止密码被盗用。", manual: "无法扫码？请手动输入以下密钥：", off: "未启用", on: "已启用", qr: "身份验证器应用使用的二维码",
    scan: "请用身份验证器应用扫描二维码，例如 Microsoft Authenticator、Google Authenticator 或 Aegis。", setUp: "设置二次验证", step: { app: "绑定应用", codes: "保存恢复码" },
    title: "二次验证", turnOff: "关闭二次验证", turnOffHint: "关闭后仅凭密码即可登录，恢复码同时失效。", turnOn: "启用",
  },
  grants: {
    account: "账号", anyPlace: "全部位置", anyRole: "全部角色", anyone: "全部对象", chooseAccount: "选择账号", chooseKey: "选择 API 密钥", chooseRole: "选择角色", count_other: "共 {{count}} 条授权",
    give: "授予", key: "API 密钥", kindOfPlace: "位置类型", new: "新建授权", none: "没有授权", noneHint: "没有符合筛选条件的授权。", noneOfOne: "尚未授予角色：可以登录，但看不到任何内容。", nothing: "无角色", placeMissing: "请选择位置",
    revoke: "撤销", revokeHint: "5 秒内生效，已打开的页面同样生效。", revokeSure: "确定撤销该授权？", roleMissing: "请选择角色", sub: "谁在哪里拥有什么角色",
    unscoped_other: "该角色有 {{count}} 项权限涉及整个服务器，仅在“全部位置”授权时有效：",
    where: "范围", who: "授权对象", whoMissing: "请选择授权对象",
  },
  group: { place: "楼栋与模型", data: "测点与数据", alarm: "告警", work: "工单与保养", access: "账号与审计", server: "服务器" },
  hours: { add: "添加时段", any: "不限时段", from: "开始", title: "允许登录时段", to: "结束", zone: "时区" },
  keys: {
    allOfRole: "角色的全部权限", buildings: "楼栋", buildingsHint: "角色仅在所选楼栋有效，留空表示全部。", by: "由 {{who}} 创建", calls: "调用次数", calls24: "24 小时调用", callsCount_other: "调用 {{calls}} 次",
    chart: "每小时调用次数、错误和延迟", concurrency: "并发上限", create: "创建密钥", created: "创建时间", edit: "修改限制", errors: "错误", expired: "已过期", expiry: "有效期至",
    expiryHint: "设置有效期可确保密钥有人维护；到期前两周会在此提示。", key: "API 密钥", latency: "P95 延迟", limits: "限制", may: "权限", mayRead: "可读取", mayWrite: "可写入", mean: "平均延迟",
    nameHint: "使用该密钥的程序及部署位置", neverUsed: "从未使用", noCalls: "该时段没有调用。", noExpiry: "长期有效", overlap: "旧密钥继续有效", overlapOf: { "0": "立即失效", "3600": "继续有效 1 小时", "86400": "继续有效 1 天", "604800": "继续有效 7 天" },
    program: "程序", rate: "每分钟调用上限", reads_other: "读取 {{count}} 类", refused: "超限拒绝", rotate: "轮换", rotateHint: "生成新密钥；旧密钥到期前两者均可用，业务不中断。",
    rotateSure: "为“{{name}}”生成新密钥？", rotated: "新密钥", rotating: "轮换中", route: "接口", scopes: "仅限以下权限", scopesHint: "最小授权：在角色权限中只保留程序需要的部分。", endsIn: "{{when}}到期", span: { day: "24 小时", week: "7 天", month: "30 天" },
    standard: "服务器默认值", sub: "可调用接口的程序，其读写范围及运行情况", usage: "使用情况", writes_other: "写入 {{count}} 类", writesNothing: "无，仅可读取。",
  },
  me: {
    displayName: "显示姓名", noRights: "您还没有任何角色，请联系管理员。", passwordHint: "修改后，您在其他设备上的登录将退出。", profile: "个人资料", rights: "我的权限", rightsHint_other: "共 {{count}} 项权限", security: "安全",
  },
  networks: { any: "不限网络", hint: "地址或网段，例如 10.20.0.0/16，按回车分隔。", title: "允许登录网络", wrong: "“{{network}}”不是有效的地址或网段" },
  password: {
    change: "修改密码", changed: "密码已修改", current: "当前密码", differ: "两次输入不一致", due: "请设置新密码", dueLead: "{{name}}，您的密码已到期或由管理员设置，须修改后才能继续。",
    endsOthers: "您在其他设备上的登录将退出。", missing: "请输入密码", mustChange: "下次登录时须修改", new: "新密码", notYet: "尚未满足密码要求", repeat: "再次输入新密码", repeatMissing: "请再次输入",
    reset: "重置密码", resetHint: "旧密码和所有登录会话立即失效。", resetOf: "为 {{name}} 设置新密码",
    rule: {
      length: "至少 {{shortest}} 个字符", kinds: "小写、大写、数字、符号中至少 {{kinds}} 种", pattern: "不是有规律或连续的字符", context: "不含您的姓名或登录名", history: "不是最近 {{history}} 次用过的密码（服务器校验）",
      common: "不是常见密码（服务器校验）",
    },
    save: "保存新密码", strength: "强度", suggest: "自动生成",
  },
  place: {
    building: "楼栋", choose: { site: "选择园区", building: "选择楼栋", storey: "选择楼层", system: "选择系统" }, everywhere: "全部位置", inBuilding: "所在楼栋", site: "园区", storey: "楼层", system: "系统",
  },
  recovery: {
    download: "下载", lead: "手机丢失时，每个恢复码可登录一次。恢复码不会再次显示。", print: "打印", renew: "重新生成恢复码", renewHint: "原恢复码将全部失效。", sheet: "{{name}} 在 {{host}} 的恢复码", title: "恢复码",
  },
  roles: {
    acts: "角色“{{role}}”的操作", affects_other: "影响 {{count}} 条授权", builtin: "内置角色，不可修改", changed: "已修改，未保存", copy: "复制为新角色", copyOf: "复制“{{role}}”",
    count_other: "{{count}} 项权限", create: "创建角色", custom: "自定义角色", deleteSure: "确定删除角色“{{name}}”？", discard: "放弃", heldBy_other: "已授予 {{count}} 次",
    matrix: "各角色的权限", name: "标识", nameHint: "用于接口和审计记录，创建后不可更改。", nameWrong: "小写字母、数字和 _，以字母开头", new: "新建角色", permission: "权限", rename: "重命名",
    save: "保存修改", saved: "角色已保存并立即生效", sub: "内置角色不可修改；自定义角色可在矩阵中点选", title: "名称", titleHint: "例如：夜班组长", titleMissing: "请填写角色名称",
    unscoped: "涉及整个服务器：仅在“全部位置”授权时有效",
  },
  saved: "已保存",
  section: { accounts: "账号", roles: "角色", grants: "授权", keys: "API 密钥", audit: "审计" },
  sessions: {
    end: "结束", endAll: "结束全部会话", endOthers: "退出其他设备", endSure: "确定结束该会话？", ended: "已退出", none: "当前没有登录。", seen: "最近活动", since: "登录于 {{at}}", this: "本机",
    title: "登录会话", unknown: "未知设备",
  },
  stored: "我已妥善保存",
};

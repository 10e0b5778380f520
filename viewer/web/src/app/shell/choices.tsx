import { Dropdown } from "antd";
import { Languages, Monitor, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { accountLanguage, changeLanguage, type Language } from "../i18n";
import { themeChoice } from "../lib/prefs";
import { useStore } from "../lib/store";
import { useModeValue } from "../context";
import type { ThemeChoice } from "../theme";
import { IconButton } from "../parts";

export const LANGUAGES: { value: Language; label: string }[] = [
  { value: "zh-CN", label: "简体中文" },
  { value: "en", label: "English" },
];

/** The same as an account keeps it. */
export const ACCOUNT_LANGUAGES = LANGUAGES.map((one) => ({ ...one, value: accountLanguage(one.value) }));

export function LanguageButton(): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <Dropdown trigger={["click"]} menu={{
      items: LANGUAGES.map((one) => ({ key: one.value, label: one.label })),
      selectedKeys: [i18n.language],
      onClick: ({ key }) => void changeLanguage(key as Language),
    }}>
      <span><IconButton icon={Languages} label={t("shell.language")} /></span>
    </Dropdown>
  );
}

export function ThemeButton(): ReactNode {
  const { t } = useTranslation();
  const choice = useStore(themeChoice);
  const mode = useModeValue();
  return (
    <Dropdown trigger={["click"]} menu={{
      items: [
        { key: "light", label: t("shell.light"), icon: <Sun size={14} /> },
        { key: "dark", label: t("shell.dark"), icon: <Moon size={14} /> },
        { key: "system", label: t("shell.system"), icon: <Monitor size={14} /> },
      ],
      selectedKeys: [choice],
      onClick: ({ key }) => themeChoice.set(key as ThemeChoice),
    }}>
      <span><IconButton icon={mode === "dark" ? Moon : Sun} label={t("shell.theme")} /></span>
    </Dropdown>
  );
}

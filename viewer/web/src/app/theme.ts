/** Design tokens: one palette for AntD (through its theme) and for our own CSS (as variables). */
import type { ThemeConfig } from "antd";

export type Mode = "light" | "dark";
export type ThemeChoice = Mode | "system";

interface Palette {
  bg: string;
  surface: string;
  raised: string;
  sunken: string;
  border: string;
  borderStrong: string;
  text: string;
  text2: string;
  text3: string;
  accent: string;
  accentHover: string;
  accentSoft: string;
  onAccent: string;
  ok: string;
  okSoft: string;
  critical: string;
  criticalSoft: string;
  high: string;
  highSoft: string;
  medium: string;
  mediumSoft: string;
  low: string;
  lowSoft: string;
  shadow: string;
  scene: string;
}

/** Text colours reach 4.5:1 on everything that they stand on (WCAG AA); tests/theme.test.ts computes it. */
export const PALETTES: Record<Mode, Palette> = {
  light: {
    bg: "#f3f5f7",
    surface: "#ffffff",
    raised: "#ffffff",
    sunken: "#f6f8fa",
    border: "#e1e6eb",
    borderStrong: "#c9d1d9",
    text: "#17212b",
    text2: "#4a5764",
    text3: "#5f6b78",
    accent: "#0b6b8a",
    accentHover: "#095a75",
    accentSoft: "#e3f1f6",
    onAccent: "#ffffff",
    ok: "#1d7a46",
    okSoft: "#e4f4ea",
    critical: "#c11f2f",
    criticalSoft: "#fdebec",
    high: "#b84a00",
    highSoft: "#fdeee2",
    medium: "#8a6100",
    mediumSoft: "#fbf2d8",
    low: "#2563a8",
    lowSoft: "#e8f1fb",
    shadow: "0 1px 2px rgb(16 24 32 / 6%), 0 6px 20px rgb(16 24 32 / 10%)",
    scene: "#e6ebef",
  },
  dark: {
    bg: "#0c1115",
    surface: "#12181d",
    raised: "#182027",
    sunken: "#0f1519",
    border: "#232d35",
    borderStrong: "#34414b",
    text: "#e4eaef",
    text2: "#a9b5c0",
    text3: "#8a97a3",
    accent: "#57b9d9",
    accentHover: "#79c9e3",
    accentSoft: "#12313c",
    onAccent: "#05202b",
    ok: "#5cc98a",
    okSoft: "#10301f",
    critical: "#ff7b81",
    criticalSoft: "#3a1519",
    high: "#ff9d5c",
    highSoft: "#38200f",
    medium: "#e8bd4a",
    mediumSoft: "#322808",
    low: "#7db6f2",
    lowSoft: "#132a42",
    shadow: "0 1px 2px rgb(0 0 0 / 40%), 0 8px 28px rgb(0 0 0 / 45%)",
    scene: "#161d23",
  },
};

export const FONT =
  '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", ' +
  '"Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", sans-serif';

/** Writes the palette as `--name` variables on the root element. */
export function applyPalette(mode: Mode): void {
  const root = document.documentElement;
  root.dataset["theme"] = mode;
  root.style.colorScheme = mode;
  for (const [name, value] of Object.entries(PALETTES[mode])) {
    root.style.setProperty(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value as string);
  }
}

export function antdTheme(mode: Mode, algorithm: ThemeConfig["algorithm"]): ThemeConfig {
  const p = PALETTES[mode];
  return {
    ...(algorithm ? { algorithm } : {}),
    cssVar: { key: "twin" },
    hashed: false,
    token: {
      fontFamily: FONT,
      fontSize: 13,
      controlHeight: 30,
      borderRadius: 6,
      borderRadiusLG: 8,
      borderRadiusSM: 4,
      colorPrimary: p.accent,
      colorPrimaryHover: p.accentHover,
      colorLink: p.accent,
      colorInfo: p.low,
      colorSuccess: p.ok,
      colorWarning: p.high,
      colorError: p.critical,
      colorText: p.text,
      colorTextSecondary: p.text2,
      colorTextTertiary: p.text3,
      colorTextDescription: p.text3,
      colorTextPlaceholder: p.text3,
      colorBgBase: p.surface,
      colorBgLayout: p.bg,
      colorBgContainer: p.surface,
      colorBgElevated: p.raised,
      colorBorder: p.borderStrong,
      colorBorderSecondary: p.border,
      colorSplit: p.border,
      colorTextLightSolid: p.onAccent,
      controlItemBgActive: p.accentSoft,
      controlItemBgActiveHover: p.accentSoft,
      controlItemBgHover: p.sunken,
      boxShadowSecondary: p.shadow,
      // Where motion is not wanted there are no animations (styles.css), and menus that wait for the end of one never show.
      motion: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
      motionDurationMid: "0.14s",
      motionDurationSlow: "0.18s",
      wireframe: false,
    },
    components: {
      Button: { fontWeight: 500, primaryShadow: "none", defaultShadow: "none", dangerShadow: "none" },
      Table: { headerBg: p.sunken, headerColor: p.text2, rowHoverBg: p.sunken, cellPaddingBlockSM: 7 },
      Tabs: { horizontalItemPadding: "9px 0", horizontalItemGutter: 20, titleFontSize: 13 },
      Tooltip: { colorBgSpotlight: mode === "dark" ? "#2a353e" : "#1d2731", colorTextLightSolid: "#f2f5f7" },
      Modal: { titleFontSize: 15 },
      Segmented: { trackBg: mode === "dark" ? "#1c252c" : "#e8ecf0", itemSelectedBg: mode === "dark" ? "#2c3842" : "#ffffff", itemColor: p.text2 },
      Tree: { indentSize: 14 },
      Badge: { colorTextLightSolid: "#ffffff", colorError: mode === "dark" ? "#d13c46" : p.critical },
    },
  };
}

/** Numbers as an owner reads them: few digits, percents, months by name. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { unitText } from "../lib/format";

export interface Words {
  n: (value: number) => string;
  /** With its unit, three digits that count. */
  amount: (value: number, unit: string) => string;
  percent: (share: number) => string;
  month: (year: number, month: number) => string;
  shortMonth: (year: number, month: number) => string;
}

/** Thousands of kWh are MWh. */
export function scaled(value: number, unit: string): [number, string] {
  return unit === "KiloW-HR" && Math.abs(value) >= 100_000 ? [value / 1000, "MWh"] : [value, unitText(unit)];
}

export function useWords(): Words {
  const { i18n } = useTranslation();
  return useMemo(() => {
    const language = i18n.language;
    const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    const fine = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
    const long = new Intl.DateTimeFormat(language, { year: "numeric", month: "long" });
    const short = new Intl.DateTimeFormat(language, { month: "narrow" });
    const numbered = language.startsWith("zh");
    return {
      n: (value) => whole.format(value),
      amount: (value, unit) => {
        const [size, name] = scaled(value, unit);
        return `${(Math.abs(size) < 100 ? fine : whole).format(size)} ${name}`;
      },
      percent: (value) => share.format(value),
      month: (year, month) => long.format(new Date(year, month - 1, 15)),
      shortMonth: (year, month) => (numbered ? String(month) : short.format(new Date(year, month - 1, 15))),
    };
  }, [i18n.language]);
}

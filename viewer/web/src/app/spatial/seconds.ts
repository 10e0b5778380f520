import { useTranslation } from "react-i18next";

/** "48 s", "2 min 5 s", in the reader's language. */
export function useSeconds(): (seconds: number) => string {
  const { t } = useTranslation();
  return (seconds) => {
    const whole = Math.round(seconds);
    return whole < 60 ? t("spatial.play.seconds", { seconds: whole }) : t("spatial.play.minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
  };
}

/** Statuses, priorities and types are free words in BCF: the usual ones are translated, others stay as they are. */
import { useTranslation } from "react-i18next";
import { PRIORITIES, STATUSES, TYPES } from "./queries";

export interface Word {
  value: string;
  label: string;
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[\s_-]/g, "");

export interface Words {
  status: (value: string | null) => string;
  priority: (value: string | null) => string;
  type: (value: string | null) => string;
  statuses: Word[];
  priorities: Word[];
  types: Word[];
}

export function useWords(): Words {
  const { t } = useTranslation();
  const find = <K extends string>(known: readonly K[], value: string | null): K | undefined => known.find((one) => plain(one) === plain(value ?? ""));
  const status = (value: string | null): string => {
    const known = find(STATUSES, value);
    return known ? t(`issues.statuses.${known}`) : (value ?? "");
  };
  const priority = (value: string | null): string => {
    const known = find(PRIORITIES, value);
    return known ? t(`issues.priorities.${known}`) : (value ?? "");
  };
  const type = (value: string | null): string => {
    const known = find(TYPES, value);
    return known ? t(`issues.types.${known}`) : (value ?? "");
  };
  return {
    status, priority, type,
    statuses: STATUSES.map((value) => ({ value, label: status(value) })),
    priorities: PRIORITIES.map((value) => ({ value, label: priority(value) })),
    types: TYPES.map((value) => ({ value, label: type(value) })),
  };
}

/** Closed ones step back in lists. */
export const isOver = (status: string | null): boolean => ["closed", "solved", "resolved", "done"].includes(plain(status ?? ""));

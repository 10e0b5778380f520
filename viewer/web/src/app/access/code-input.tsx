/** Six digits of an authenticator: one real input (paste, autofill and screen readers work), drawn as six cells. */
import { useRef, type ReactNode } from "react";

export const CODE_LENGTH = 6;

export const onlyDigits = (text: string): string => text.replace(/\D/g, "").slice(0, CODE_LENGTH);

export function CodeInput({ value, onChange, onComplete, label, invalid = false, disabled = false }: {
  value: string; onChange: (code: string) => void; onComplete?: (code: string) => void; label: string; invalid?: boolean; disabled?: boolean;
}): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className={`code-input${invalid ? " is-wrong" : ""}`} onClick={() => input.current?.focus()}>
      <input ref={input} value={value} inputMode="numeric" autoComplete="one-time-code" autoFocus aria-label={label} aria-invalid={invalid} readOnly={disabled}
        spellCheck={false} onChange={(event) => {
          const code = onlyDigits(event.target.value);
          onChange(code);
          if (code.length === CODE_LENGTH && code !== value) onComplete?.(code);
        }} />
      {Array.from({ length: CODE_LENGTH }, (_, i) => (
        <span key={i} aria-hidden className={i === Math.min(value.length, CODE_LENGTH - 1) ? "is-next" : ""}>{value[i] ?? ""}</span>
      ))}
    </div>
  );
}

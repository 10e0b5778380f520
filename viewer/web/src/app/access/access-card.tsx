/** The frame of pages that stand before the app: sign in, a new password, a second factor that is due. */
import type { ReactNode } from "react";
import { LanguageButton, ThemeButton } from "../shell/choices";
import { Logo } from "../shell/logo";

export function AccessCard({ title, lead, wide = false, children }: {
  title: string; lead: ReactNode; wide?: boolean; children: ReactNode;
}): ReactNode {
  return (
    <div className="sign-in">
      <div className="sign-in-choices">
        <LanguageButton />
        <ThemeButton />
      </div>
      <main className={`sign-in-card${wide ? " is-wide" : ""}`}>
        <Logo size={40} />
        <h1>{title}</h1>
        <p>{lead}</p>
        {children}
      </main>
    </div>
  );
}

/** The page's nonce. Without it the Content-Security-Policy lets in no style sheet that is made at run time. */

export const NONCE = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

/**
 * Ant Design passes the nonce to the sheets of its components, but not to those that its helpers make to lock scrolling
 * or to measure a scrollbar. Our own scripts are trusted either way: what they create as an element gets the nonce;
 * markup that someone smuggles in does not come from `createElement`, and stays without.
 */
export function signStyles(): void {
  if (!NONCE) return;
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = NONCE;
    return element;
  };
}

import { Component, type ReactNode } from "react";
import { Failure } from "../parts";

/** A page that breaks leaves the rest of the app usable. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="center">
        <Failure error={this.state.error} retry={() => this.setState({ error: null })} />
      </div>
    );
  }
}

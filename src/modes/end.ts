/** How a mode ended: everything that the step shows besides its log. */
export interface ModeEnd {
  readonly outcome: 'passed' | 'failed' | 'cancelled';
  /** Why the step fails; undefined when it does not. */
  readonly sentence?: string;
  /** By the names of action.yml; `outcome` is set besides them. */
  readonly outputs: Readonly<Record<string, string>>;
}

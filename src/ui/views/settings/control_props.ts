/** What every control of a setting is given. */
import type { FormField } from "./fields.ts";

export interface ControlProps {
  field: FormField;
  /** The field's path with positions in lists filled in. */
  path: string;
  id: string;
  /** Ids of what describes it. */
  describedBy: string;
  invalid: boolean;
}

// What the flags decide, as an object whose type is derived from the table of flags.

import type { Limits } from "../engine/settings.ts";
import { FLAGS, type FlagTable } from "./flags.ts";
import type { ValueKind, ValueOfKind } from "./values.ts";

/** The name of a flag that this version has, without dashes. */
export type FlagName = { [Name in keyof FlagTable]: FlagTable[Name] extends { needs: string } ? never : Name }[
  keyof FlagTable
];

/** The name of a flag as a member of the options: `max-body-size` is `maxBodySize`. */
export type OptionName<Name extends string = FlagName> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<OptionName<Tail>>}`
  : Name;

type OneValue<Flag> = Flag extends { choices: readonly (infer Choice)[] } ? Choice
  : Flag extends { kind: infer Kind extends ValueKind } ? ValueOfKind<Kind>
  : never;
type Value<Flag> = Flag extends { repeatable: true } ? readonly OneValue<Flag>[] : OneValue<Flag>;
type IfUnset<Flag> = Flag extends { default: string } | { kind: "switch" } ? never : undefined;

/** The value of each flag: sizes in bytes, times in milliseconds. A switch that nothing sets is false. */
export type CliOptions = {
  readonly [Name in FlagName as OptionName<Name>]: Value<FlagTable[Name]> | IfUnset<FlagTable[Name]>;
};

/** The flags that set a limit of the engine. */
export const LIMIT_FLAGS: readonly { name: FlagName; limit: keyof Limits }[] = FLAGS.flatMap(({ name, limit }) =>
  limit === undefined ? [] : [{ name: name as FlagName, limit }]
);

/**
 * Finds the member of the options that holds a flag's value.
 *
 * @param name the flag without dashes
 * @returns such as `maxBodySize`
 */
export function optionName<Name extends string>(name: Name): OptionName<Name> {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as OptionName<Name>;
}

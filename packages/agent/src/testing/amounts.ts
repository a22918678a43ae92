import { type Amounts, toUnits } from '../resource-amounts.ts'

/** Amounts as tests write them. */
export function amounts(given: Readonly<Record<string, number>>): Amounts {
  const units = Object.entries(given).map(([name, amount]) => [name, toUnits(name, name, amount)])
  return new Map((units as [string, number][]).filter(([, amount]) => amount > 0))
}

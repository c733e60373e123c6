// Package budget keeps count of what platforms allow. Platforms limit in five
// ways (platform.BudgetKind); here they are one: a Purse holds all budgets of a
// connection, says how long a request has to wait for all that it is charged
// against, and counts it.
//
// A Purse is a value of arithmetic: it reads no clock and is not safe for
// concurrent use. Its owner serialises and says what time it is.
//
// # What survives a restart
//
// Units a day and money are told by no header, so a process that ends takes its
// count with it unless it is saved (Purse.Ledger) and restored (Purse.Restore). A
// purse that is to be saved spends nothing of a day before the day's first line is
// saved, and from one saving to the next at most a tenth of the day's budget (a
// lease). So a process that did not end properly has spent at most what was saved
// plus one lease, and that is what Restore counts as spent.
package budget

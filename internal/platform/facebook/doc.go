// Package facebook is the adapter of Facebook Pages, Graph API v26.0.
//
// It reads Pages in batches of 50 by id or by username with one credential, the
// system user's of the Business portfolio. Personal profiles cannot be read by
// anybody.
//
// A Page that is missing, deleted, suspended or out of sight answers one and the same
// error. It is taken for gone (NotFound) by id only if this client has read the Page
// with the same credential before; otherwise it is Unanswered with KindNotFound. By
// username, "no such alias" is an answer of its own and counts as NotFound.
package facebook

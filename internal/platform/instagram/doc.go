// Package instagram is the adapter of Instagram's professional accounts, Graph API
// v26.0. Personal accounts look like missing ones to everybody.
//
// By id, our own accounts are read in batches of 50 with the system user's token of
// the Business portfolio. By handle, any professional account is read through one of
// our own (business_discovery); it must be named in the app Secret, else every lookup
// by handle is Unanswered with KindInvalid and nothing is sent.
//
// By id, a missing account and a missing permission are one error, taken for gone
// (NotFound) only if this client has read the account with the same credential
// before; otherwise it is Unanswered with KindNotFound. By handle, NotFound means
// missing, renamed, personal, suspended or age-gated: confirm it by another way.
//
// Grants come by Facebook Login, or, where the app Secret names an Instagram app, by
// Instagram Login, whose tokens live for 60 days, one for each account, and cannot be
// revoked by API.
package instagram

// Package x is the adapter of X (formerly Twitter), API v2, app-only.
//
// It reads public profiles in batches by id (GET /2/users) or by handle (GET
// /2/users/by). It sends the field names of OpenAPI 2.159 (tweet) and reads
// those of 2.167 (post) as well. It believes an answer only about the accounts
// that it asked for, and only where the answer does not contradict itself.
package x

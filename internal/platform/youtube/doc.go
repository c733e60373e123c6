// Package youtube is the adapter of the YouTube Data API v3.
//
// It reads public channels with an API key, 50 by id for one unit. A channel that
// is gone is only absent from the answer: it is called NotFound where the answer
// accounts for every item that it counts and names nobody else, and it stays a
// claim that the engine confirms. The answers have no budget headers.
package youtube

// Package media fetches profile images and reduces them to what can be compared:
// a digest of the bytes and a perceptual hash of what they show.
//
// Image URLs come out of platforms' answers, which anybody can write into. So a
// Fetcher connects to the allowed hosts alone, sends no credentials, and bounds
// bytes, pixels and time.
package media

// Package graph is the client of Meta's Graph API that the adapters of Facebook and
// Instagram share: batch posts with a place for each item, errors by code and
// subcode, gauges out of headers, the proof of the app's secret, the life of tokens,
// and the people of a business portfolio.
//
// It believes an answer only where its shape is that of the request: a batch answer
// has as many places as the request had items, each place is checked against the
// item's id by the adapter, and no text of an error is ever branched on.
package graph

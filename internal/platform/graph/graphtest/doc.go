// Package graphtest plays the Graph API's wire format for the tests of its adapters:
// it reads batch posts as strictly as Meta does, and compares fields, edges and
// parameters with Meta's own lists.
package graphtest

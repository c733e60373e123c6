package media

import "context"

// Hashes is a Fetcher for those who want an image's hashes and no more.
type Hashes struct{ *Fetcher }

// Fetch returns the image's SHA-256 and its 64-bit difference hash, in hex. Its error
// is that of Fetcher.Fetch.
func (h Hashes) Fetch(ctx context.Context, url string) (sha256, perceptualHash string, err error) {
	digest, err := h.Fetcher.Fetch(ctx, url)
	return digest.SHA256, digest.PerceptualHash, err
}

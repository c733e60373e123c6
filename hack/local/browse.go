package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
)

// toPlatform is the link of a consent page to the platform's dialog.
var toPlatform = regexp.MustCompile(`href="([^"]+/(?:oauth2/authorize|o/oauth2/v2/auth)[^"]*)"`)

// Consent opens a consent page, follows its link to the simulated platform, whose dialog
// is answered by the choice that is set at its address before, and is sent back with the
// answer, as a browser is.
func Consent(ctx context.Context, page, dialog string, choice any) error {
	shown, err := browse(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	link := toPlatform.FindStringSubmatch(shown)
	if link == nil {
		return errors.New("the consent page has no link to the platform")
	}
	if _, err := browse(ctx, http.MethodPut, dialog, choice); err != nil {
		return fmt.Errorf("choosing: %w", err)
	}
	if _, err = browse(ctx, http.MethodGet, html.UnescapeString(link[1]), nil); err != nil {
		return fmt.Errorf("at the platform: %w", err)
	}
	return nil
}

// browse asks for a page and follows where it leads. Anything but 2xx is an error; none
// holds an address, which may hold a code.
func browse(ctx context.Context, method, address string, body any) (string, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return "", fmt.Errorf("encoding a request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return "", errors.New("the address of a page is malformed")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", errors.New("a page does not answer")
	}
	page, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return "", fmt.Errorf("reading a page: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return "", fmt.Errorf("a page at %s answers %s", answer.Request.URL.Host, answer.Status)
	}
	return string(page), nil
}

package sandbox

import (
	"context"
	"fmt"
)

// ExpireTokens makes every access token that the world has issued count as
// expired, in both environments and without moving the clock, which would age
// export jobs too. Requests with one are refused by 401 and invalid_token;
// clients get new ones. The same over HTTP is POST /_sandbox/tokens/expire. See
// Client.Revoke for the tokens of one client.
func (w *World) ExpireTokens(ctx context.Context) error {
	if err := w.workspace.Control().ExpireTokens(ctx); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

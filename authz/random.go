package authz

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

// random returns n random bytes in base64url.
func (s *Server) random(n int) (string, error) {
	b, err := s.randomBytes(n)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// randomHex returns n random bytes in hexadecimal.
func (s *Server) randomHex(n int) (string, error) {
	b, err := s.randomBytes(n)
	return hex.EncodeToString(b), err
}

func (s *Server) randomBytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return b, nil
}

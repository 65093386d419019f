package authz

// Opaque returns the refusal as a server shows it that keeps its reasons to
// itself: code and status stay, and of the challenge the scheme, the realm and
// the code. The Check is empty.
func (e *Error) Opaque() *Error {
	opaque := *e
	opaque.Check = Check{}
	opaque.Challenge.Description, opaque.Challenge.Scope = "", ""
	return &opaque
}

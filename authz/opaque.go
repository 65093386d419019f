package authz

// Opaque returns the refusal without its reasons: code and status, and of the
// challenge the scheme, the realm and the code. The Check is empty.
func (e *Error) Opaque() *Error {
	opaque := *e
	opaque.Check = Check{}
	opaque.Challenge.Description, opaque.Challenge.Scope = "", ""
	return &opaque
}

package authz

func wrongContentType(got string) outcome {
	o := outcome{finding: "D04", got: got, want: formType}
	if got == "" {
		o.got = "none"
		o.text = "The request has no Content-Type."
		o.fix = "Send the parameters as a form, with Content-Type: " + formType + "."
		return o
	}
	o.text = "The body must be " + formType + "; Content-Type is " + quote(got) + "."
	o.fix = "Encode the parameters as a form (in curl: -d or --data-urlencode) and set that content type."
	return o
}

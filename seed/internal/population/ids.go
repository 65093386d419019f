package population

import "strconv"

// patientID returns the id of the n-th patient, n counting from 1.
func patientID(n int) string { return "pt-" + padded(n, 6) }

// partID returns the id of the n-th resource of a kind that a patient has, n counting from 1.
func partID(patient, kind string, n int) string {
	return patient + "-" + kind + "-" + padded(n, 3)
}

// padded returns n with zeros before it until it has so many digits.
func padded(n, digits int) string {
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], int64(n), 10)
	if len(s) >= digits {
		return string(s)
	}
	const zeros = "0000000000"
	return zeros[:digits-len(s)] + string(s)
}

// npi returns a National Provider Identifier that the check digit makes valid and the leading 9
// impossible: real ones begin with 1 or 2. serial has up to eight digits.
func npi(serial int) string {
	body := "9" + padded(serial, 8)
	sum := 24 // of the prefix 80840, which the check digit covers as well (45 CFR 162.406)
	for i := len(body) - 1; i >= 0; i-- {
		d := int(body[i] - '0')
		if (len(body)-1-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return body + strconv.Itoa((10-sum%10)%10)
}

// ssn returns a number in the form of a social security number that was never and will never be
// issued: area 999, and a group that taxpayer numbers of area 9xx do not use either.
func ssn(n int) string {
	return "999-" + padded(10+n/10000%40, 2) + "-" + padded(n%10000, 4)
}

// phone returns a number of the range 555-0100 to 555-0199, which is kept free for fiction.
func phone(area string, n int) string { return "+1-" + area + "-555-01" + padded(n%100, 2) }

package fault

// table are the faults that are no switches of the behaviour. It is never changed.
var table = [...]Fault{
	{ID: "status", Does: "an answer with a status and nothing else", Rows: "K06 T08", On: []Kind{Any}, At: Before, Params: []Param{
		{"code", "503", "the status", code},
		{"retry_after", "", "Retry-After: seconds, or date, epoch or epoch_ms", retryAfter}}},
	{ID: "slow", Does: "the answer comes late", Rows: "J09", On: []Kind{Any}, At: Before, Params: []Param{{"by", "2s", "how late", duration}}},
	{ID: "drop", Does: "the connection ends without an answer", On: []Kind{Any}, At: Before},
	{ID: "too_many", Does: "429 with a Retry-After", Rows: "B09 P01 M15", On: []Kind{FHIR, Token}, At: Before, Params: []Param{
		{"retry_after", "1", "seconds, or date, epoch or epoch_ms", retryAfter}}},

	{ID: "ip.allow", Does: "403 to addresses that are not on the payer's list", Rows: "K06", On: []Kind{Token, FHIR}, At: Before, when: notFrom, Params: []Param{
		{"networks", "10.0.0.0/8", "addresses and networks that are on it, separated by spaces", networks}}},
	{ID: "tls.self_signed", Does: "the server's certificate is signed by nobody: of a server with --tls", Rows: "D03", On: []Kind{Handshake}, At: Before, Plain: true},
	{ID: "tls.missing_intermediate", Does: "the chain lacks the certificate between the server's and the authority's", Rows: "D03", On: []Kind{Handshake}, At: Before, Plain: true},
	{ID: "tls.expired", Does: "the server's certificate has expired", Rows: "D03", On: []Kind{Handshake}, At: Before, Plain: true},
	{ID: "tls.other_name", Does: "the server's certificate is for another host", Rows: "D03", On: []Kind{Handshake}, At: Before, Plain: true},

	{ID: "discovery.html", Does: "a login page in the place of the SMART configuration", Rows: "D02", On: []Kind{Discovery}, At: Before},
	{ID: "discovery.array", Does: "a JSON array in its place", Rows: "D02", On: []Kind{Discovery}, At: Before},
	{ID: "discovery.text_plain", Does: "the SMART configuration as text/plain", Rows: "D02", On: []Kind{Discovery}, At: After},
	{ID: "discovery.omit", Does: "the SMART configuration lacks a field", Rows: "D06 D07", On: []Kind{Discovery}, At: After, Params: []Param{
		{"field", "registration_endpoint", "the field", something}}},
	{ID: "redirect.to_http", Does: "discovery sends the client on to plain http: of a server with --tls", Rows: "D03", On: []Kind{Discovery}, At: Before},
	{ID: "discovery.move_token_endpoint", Does: "the token endpoint is at another URL, which discovery has, and 404 at the old one", Rows: "D08", On: []Kind{Token}, At: Before, Plain: true},

	{ID: "token.503", Does: "503 from the token endpoint", Rows: "T08", On: []Kind{Token}, At: Before},
	{ID: "token.error_with_200", Does: "200 with an OAuth error in the body", Rows: "T07", On: []Kind{Token}, At: Before, Params: []Param{
		{"error", "invalid_client", "the error code", anyText}}},
	{ID: "token.expires_in_string", Does: "expires_in is a string", Rows: "T01", On: []Kind{Token}, At: After},
	{ID: "token.omit", Does: "the token's answer lacks a member", Rows: "T09", On: []Kind{Token}, At: After, Params: []Param{
		{"field", "scope", "the member", something}}},
	{ID: "scope.narrow", Does: "less is granted than is asked and registered", Rows: "S05", On: []Kind{Token}, At: Before, Params: []Param{
		{"to", "system/Patient.rs", "what may be granted", scopes}}},
	{ID: "token.die_after_requests", Does: "401 to a token that was used so often", Rows: "T03 M09", On: []Kind{Bearer}, At: Before, when: worn, Params: []Param{
		{"n", "5", "how often a token works", number}}},
	{ID: "token.401", Does: "401 to a token that is good", Rows: "T03 P10", On: []Kind{Bearer}, At: Before},

	{ID: "token.revoke", Does: "all tokens of the client are revoked, this one among them: it gets another one", Rows: "T06", On: []Kind{Bearer}, At: Before},
	{ID: "policy.none", Does: "no AccessPolicy allows the client anything", Rows: "S09", On: []Kind{Bearer}, At: Before},
	{ID: "portal.deactivate", Does: "an administrator takes the service out of production as it asks for a token", Rows: "L03", On: []Kind{Token}, At: Before, Params: []Param{
		{"reason", "by a fault", "what the administrator writes", something}}},

	{ID: "jwks.unreachable", Does: "the server cannot reach the host of a client's key set, wherever that is", Rows: "J01", On: []Kind{Fetch}, At: Before},
	{ID: "jwks.tls", Does: "the server does not trust the certificate of that host", Rows: "J02", On: []Kind{Fetch}, At: Before},
	{ID: "jwks.403", Does: "the host of the key set refuses programs", Rows: "J03", On: []Kind{Keys}, At: Before, Params: []Param{{"code", "403", "the status", code}}},
	{ID: "jwks.slow", Does: "the key set comes late", Rows: "J09", On: []Kind{Keys}, At: Before, Params: []Param{{"by", "6s", "how late: the server waits 5s", duration}}},
	{ID: "jwks.html", Does: "a hosted key set is a login page", Rows: "J03", On: []Kind{Keys}, At: Before},
	{ID: "jwks.redirect", Does: "the host of the key set sends to a login page", Rows: "J03", On: []Kind{Keys}, At: Before, Params: []Param{{"to", "/login", "where", anyText}}},
	{ID: "jwks.cache", Does: "the key set may be kept for long, so that a rotation is not seen", Rows: "J05", On: []Kind{Keys}, At: After, Params: []Param{{"max_age", "3600", "Cache-Control: max-age, in seconds", number}}},
	{ID: "jwks.array", Does: "the key set is a bare array", Rows: "J04", On: []Kind{Keys}, At: After},
	{ID: "jwks.empty", Does: "the key set has no keys", On: []Kind{Keys}, At: After},
	{ID: "jwks.truncated", Does: "the key set ends in its middle", Rows: "J03", On: []Kind{Keys}, At: After},
	{ID: "jwks.large", Does: "the key set is large", Rows: "J09", On: []Kind{Keys}, At: After, Params: []Param{{"bytes", "1000000", "how large", size}}},
	{ID: "jwks.omit", Does: "the keys lack a member", Rows: "A12 A21", On: []Kind{Keys}, At: After, Params: []Param{{"field", "kid", "the member", something}}},
	{ID: "jwks.use_enc", Does: "the keys are for encryption", Rows: "A21", On: []Kind{Keys}, At: After},
	{ID: "jwks.duplicate_kid", Does: "two keys have one kid", Rows: "A13", On: []Kind{Keys}, At: After},
	{ID: "jwks.private", Does: "the key set has private members", Rows: "A20", On: []Kind{Keys}, At: After},

	{ID: "serverjwks.late_publish", Does: "the server's key set does not have the key yet that signs its tokens", Rows: "J07", On: []Kind{ServerKeys}, At: After},

	{ID: "group.empty_exports_all", Does: "the export of a Group without members is one of all patients", Rows: "B04", On: []Kind{Group}, At: Before},
	{ID: "group.missing_500", Does: "500 to the export of a Group", Rows: "B04", On: []Kind{Group}, At: Before},
	{ID: "export.dup", Does: "an export that is asked for again while the same one is running is refused", Rows: "B09", On: []Kind{KickOff}, At: Before, when: repeats, Params: []Param{
		{"code", "429", "the status", code}}},
	{ID: "manifest.pages", Does: "the manifest comes in pages, whether the client asked for that or not", Rows: "M19", On: []Kind{KickOff}, At: Before, Params: []Param{
		{"pages", "2", "how many, where there are as many files", from1}}},
	{ID: "contentlocation.relative", Does: "Content-Location is relative", Rows: "B12", On: []Kind{KickOff}, At: After},
	{ID: "contentlocation.internal_host", Does: "Content-Location has a host that nobody outside knows", Rows: "B12", On: []Kind{KickOff}, At: After},

	{ID: "poll.rate", Does: "429 to a client that asks for the status of its jobs too often", Rows: "P01", On: []Kind{Status}, At: Before, when: tooFast, Params: []Param{
		{"limit", "3000/5m", "how many requests in how long", rate}}},
	{ID: "poll.5xx", Does: "a passing failure of the status request: the job goes on", Rows: "P05", On: []Kind{Status}, At: Before, Params: []Param{{"code", "503", "the status", code}}},
	{ID: "job.fail", Does: "the job has failed: 500 with an OperationOutcome", Rows: "P06", On: []Kind{Status}, At: Before},
	{ID: "retryafter", Does: "Retry-After of a running job is this", Rows: "P03", On: []Kind{Status}, At: After, Params: []Param{{"seconds", "7200", "the value", number}}},
	{ID: "retryafter.httpdate", Does: "Retry-After of a running job is a date", Rows: "P02", On: []Kind{Status}, At: After, Params: []Param{{"seconds", "2", "how far ahead", seconds}}},
	{ID: "retryafter.epoch", Does: "Retry-After of a running job is the time in seconds since 1970", Rows: "P03", On: []Kind{Status}, At: After},
	{ID: "progress.text", Does: "X-Progress is free text", Rows: "P04", On: []Kind{Status}, At: After, Params: []Param{{"text", "In Progress, 80%", "the text", anyText}}},
	{ID: "progress.none", Does: "there is no X-Progress", Rows: "P04", On: []Kind{Status}, At: After},
	{ID: "cancel.status", Does: "a job that was deleted, or never was, is told of by another status than 404", Rows: "P07", On: []Kind{Job}, At: Refusal, Params: []Param{{"code", "400", "the status", code}}},
	{ID: "status.303", Does: "the finished job answers 303, and the manifest is elsewhere", Rows: "P09", On: []Kind{Manifest}, At: After},
	{ID: "status.bundle", Does: "the finished job answers with a Bundle around the manifest", Rows: "P09", On: []Kind{Manifest}, At: After},

	{ID: "manifest.omit", Does: "the manifest lacks a field", Rows: "M01", On: []Kind{Manifest}, At: After, Params: []Param{{"field", "error", "the field", something}}},
	{ID: "manifest.count_wrong", Does: "count is wrong", Rows: "M20", On: []Kind{Manifest}, At: After, Params: []Param{{"by", "1", "by how many", number}}},
	{ID: "manifest.internal_request", Does: "request has a host that nobody outside knows", Rows: "M22", On: []Kind{Manifest}, At: After},
	{ID: "manifest.lie_requires_token", Does: "requiresAccessToken says the opposite", Rows: "M06", On: []Kind{Manifest}, At: After},
	{ID: "manifest.checksum", Does: "the manifest has the SHA-256 and the length of every file, so that a client can find out what files.corrupt does", Rows: "M21", On: []Kind{Manifest}, At: After},
	{ID: "export.partial", Does: "the files of some types are missing, and an error file says so", Rows: "M02", On: []Kind{Manifest}, At: After, Params: []Param{{"type", "Observation", "the types, separated by commas", resourceTypes}}},
	{ID: "export.info_outcomes", Does: "the error file holds harmless messages", Rows: "M03", On: []Kind{Manifest}, At: After},

	{ID: "export.deleted", Does: "the manifest names patients as deleted, in a file of transactions: a client that goes on from an earlier export has to take them out", Rows: "M16", On: []Kind{Manifest}, At: After, Params: []Param{
		{"percent", "10", "how many of the patients that there are, at least one", percent}}},
	{ID: "export.organize", Does: "the files of the manifest have no type", Rows: "M18", On: []Kind{Manifest}, At: After},

	{ID: "files.rate", Does: "429 to a client that fetches files too fast", Rows: "M15", On: []Kind{File}, At: Before, when: tooFast, Params: []Param{
		{"limit", "10/1s", "how many requests in how long", rate}}},
	{ID: "files.presigned", Does: "the storage refuses a token at a signed URL: 400", Rows: "M04 M07", On: []Kind{Signed}, At: Before},
	{ID: "files.expired", Does: "the URL of a file has expired: 403 as storage services have it", Rows: "M08", On: []Kind{File}, At: Before},
	{ID: "files.reset_at", Does: "the connection ends within a file, short of its Content-Length", Rows: "M10", On: []Kind{File}, At: Body, Params: []Param{{"bytes", "1000", "after how many", number}}},
	{ID: "files.truncate", Does: "the file ends early and looks complete", Rows: "M10", On: []Kind{File}, At: Body, Params: []Param{{"bytes", "1000", "after how many", number}}},
	{ID: "files.corrupt", Does: "a byte of the file is another one", Rows: "M21", On: []Kind{File}, At: Body, Params: []Param{{"at", "100", "its place; the last one of a file that is shorter", number}}},
	{ID: "files.gzip", Does: "the file is gzip, whatever the client accepts", Rows: "M13", On: []Kind{File}, At: Body, Params: []Param{
		{"as", "mislabelled", "mislabelled: no header says so; encoding: Content-Encoding does; file: Content-Type does", oneOf("mislabelled", "encoding", "file")}}},
	{ID: "files.content_type", Does: "the file has another Content-Type", Rows: "M14", On: []Kind{File}, At: Body, Params: []Param{{"value", "binary/octet-stream", "the type", anyText}}},
	{ID: "ndjson.blank_lines", Does: "blank lines between the lines", Rows: "M11", On: []Kind{File}, At: Body},
	{ID: "ndjson.crlf", Does: "lines end in CR LF", Rows: "M11", On: []Kind{File}, At: Body},
	{ID: "ndjson.bom", Does: "a byte order mark begins the file", Rows: "M11", On: []Kind{File}, At: Body},
	{ID: "ndjson.no_final_newline", Does: "the last line has no end", Rows: "M11", On: []Kind{File}, At: Body},
	{ID: "ndjson.long_line", Does: "the first line is long: white space within the JSON", Rows: "M12", On: []Kind{File}, At: Body, Params: []Param{{"bytes", "1100000", "how long", size}}},
}

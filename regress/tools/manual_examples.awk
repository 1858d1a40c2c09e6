# The displays of a manual, a file each: example.NN.SECTION, SECTION the first
# word of where it stands.
function unquote(s) {
	gsub(/\\\(dq/, "\"", s)
	gsub(/\\e/, "\\", s)
	gsub(/\\&/, "", s)
	return s
}
function begin() {
	file = sprintf("example.%02d.%s", ++n, section)
}
/^\.Sh / { section = $2 }
/^\.Dl / {
	begin()
	print unquote(substr($0, 5)) >file
}
/^\.Ed/ { literal = 0 }
literal { print unquote($0) >file }
/^\.Bd -literal/ { literal = 1; begin() }

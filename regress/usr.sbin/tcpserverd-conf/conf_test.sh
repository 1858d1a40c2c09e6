# tcpserverd.conf as the daemon reads it: good/*.conf print as their .out
# files say, and what they print prints as itself; of bad/*.conf is said what
# their .err files say.

here=regress/usr.sbin/tcpserverd-conf

# Prints as expected, and again as that.
# shellcheck disable=SC2154
good()
{
	dir=$(atf_get_srcdir)
	cd "$SOURCE/$here/good" || atf_fail "no directory good"
	"$dir/confread" -v "$1.conf" >"$HOME/once" ||
	    atf_fail "$(cat "$HOME/once")"
	sed "s,$(pwd -P)/,DIR/,g" "$HOME/once" >"$HOME/shown"
	diff -u "$1.out" "$HOME/shown" || atf_fail "$1.out: otherwise"
	"$dir/confread" -v "$HOME/once" >"$HOME/twice" ||
	    atf_fail "printed: $(cat "$HOME/twice")"
	diff -u "$HOME/once" "$HOME/twice" || atf_fail "printed: otherwise"
}

bad()
{
	dir=$(atf_get_srcdir)
	cd "$SOURCE/$here/bad" || atf_fail "no directory bad"
	status=0
	"$dir/confread" -v "$1.conf" >"$HOME/shown" || status=$?
	diff -u "$1.err" "$HOME/shown" || atf_fail "$1.err: otherwise"
	[ $status -eq 1 ] || atf_fail "exit status $status"
}

for name in all; do
	eval "good_${name}_head() { atf_set descr 'good/$name.conf'; }
	    good_${name}_body() { good $name; }"
done

atf_init_test_cases()
{
	atf_add_test_case good_all
}

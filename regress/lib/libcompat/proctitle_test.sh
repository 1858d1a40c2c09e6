# compat_proctitle_init(): the title that setproctitle(3) gives is the one
# that ps(1) shows, and the program still has its arguments.

atf_test_case title
title_head() {
	atf_set descr "ps shows the title; argv and environ survive"
	atf_set require.progs ps
}
title_body() {
	helper=$(atf_get_srcdir)/proctitle_helper
	mkfifo in out
	# A title longer than the arguments has to go into the environment.
	title="engine:-of-a-title-that-is-longer-than-what-there-was-before"
	env PROCTITLE_PROBE=kept "$helper" "$title" second <in >out &
	exec 3>in
	read -r pid one two var <out
	ps -ww -o args= -p "$pid" >shown
	exec 3>&-
	wait
	atf_check_equal "$title second kept" "$one $two $var"
	grep -q -- "$title" shown || atf_fail "ps shows $(cat shown)"
	if grep -q second shown; then
		atf_fail "the old arguments are still there: $(cat shown)"
	fi
}

atf_init_test_cases() {
	atf_add_test_case title
}

# A Markdown table of the turns of load/compare, which turn.awk writes: median (best).
BEGIN {
  titles["comment"] = "one comment, "
  titles["busy-post"] = "20 of a busy post, "
  titles["quiet-post"] = "20 of a quiet post, "
}
{
  row = $1 " " $2
  if (!(row in turns)) rows[++count] = row
  turn = ++turns[row]
  for (i = 3; i <= NF; i++) {
    split($i, pair, "=")
    value[row, pair[1], turn] = pair[2]
  }
}
# sorts by insertion; returns the median, and sets best
function judge(row, column, best_is_high,    n, i, j, x, sorted) {
  n = turns[row]
  for (i = 1; i <= n; i++) {
    x = value[row, column, i]
    for (j = i - 1; j >= 1 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = x
  }
  best = best_is_high ? sorted[n] : sorted[1]
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}
function grouped(x,    digits, text) {
  digits = sprintf("%.0f", x)
  for (; length(digits) > 3; digits = substr(digits, 1, length(digits) - 3)) text = "," substr(digits, length(digits) - 2) text
  return digits text
}
function cell(row, column,    median) {
  median = judge(row, column, 0)
  return sprintf("%.1f (%.1f)", median, best)
}
END {
  broker = mode == "writes"
  print "| | requests/s | ratio to " baseline " | p99 ms | non-2xx | CPU µs a request: service |" (broker ? " broker |" : "") " database |"
  print "|---|---|---|---|---|---|---|" (broker ? "---|" : "")
  for (r = 1; r <= count; r++) {
    row = rows[r]
    split(row, part, " ")
    rate = judge(row, "requests/s", 1)
    rates = grouped(rate) " (" grouped(best) ")"
    ratio = part[2] == baseline ? 1 : rate / judge(part[1] " " baseline, "requests/s", 1)
    bad = 0
    for (i = 1; i <= turns[row]; i++) bad += value[row, "non_2xx", i]
    printf "| %s%s | %s | %.2f | %s | %d | %s |%s %s |\n", titles[part[1]], part[2], rates, ratio, cell(row, "p99_ms"), bad,
      cell(row, "service_us"), broker ? " " cell(row, "broker_us") " |" : "", cell(row, "database_us")
  }
}

#compdef sluice
# What was typed is handed over word by word: nothing of it is evaluated.
_sluice() {
  local -a lines found
  lines=("${(@f)$(sluice complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  lines=("${(@)lines:#}")
  found=("${(@)${(@)lines//:/\\:}/$'\t'/:}")
  if (( ${#found} )); then _describe sluice found; else _files; fi
}
compdef _sluice sluice

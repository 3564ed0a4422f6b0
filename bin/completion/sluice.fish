# What was typed is handed over word by word: nothing of it is evaluated.
function __sluice_complete
    set -l words (commandline -opc) (commandline -ct)
    sluice complete -- $words[2..-1] 2>/dev/null
end
complete -c sluice -a '(__sluice_complete)'

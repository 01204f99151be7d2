# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for phonectl(1). phonectl itself knows what may follow, accounts and calls included.

function __phonectl_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
    command phonectl --complete $words[2..-1] 2>/dev/null
end

complete --command phonectl --no-files --arguments '(__phonectl_complete)'

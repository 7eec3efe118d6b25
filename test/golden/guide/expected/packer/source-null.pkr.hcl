# https://developer.hashicorp.com/packer/docs/builders/null
source "null" "node" {
  ssh_host             = var.null_host
  ssh_port             = var.null_port
  ssh_username         = var.null_user
  ssh_private_key_file = var.ssh_private_key_file
  ssh_agent_auth       = var.ssh_private_key_file == ""
  ssh_timeout          = "5m"
}

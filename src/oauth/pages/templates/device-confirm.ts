export const deviceConfirm = `
<% layout('@layout', { title: it.t('device-confirm.title') }) %>
<h1><%= it.t('device-confirm.title') %></h1>
<p class="code"><%= it.userCode %></p>
<p class="lead"><%= it.t('device-confirm.intro', { client: it.client }) %></p>
<%~ include('@scopes', it) %>
<p class="warning"><%= it.t('device-confirm.warning') %></p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="csrf" value="<%= it.csrf %>">
<input type="hidden" name="user_code" value="<%= it.userCode %>">
<div class="actions decision">
<button type="submit" name="decision" value="allow"><%= it.t('device-confirm.allow') %></button>
<button type="submit" name="decision" value="deny" class="quiet"><%= it.t('device-confirm.deny') %></button>
</div>
</form>
<div class="foot">
<p><%= it.t('account.signed-in-as', { username: it.username }) %></p>
</div>
`;

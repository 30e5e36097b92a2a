export const consent = `
<% layout('@layout', { title: it.t('consent.title') }) %>
<h1><%= it.t('consent.title') %></h1>
<p class="lead"><%= it.t('consent.intro', { client: it.client }) %></p>
<%~ include('@scopes', it) %>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="csrf" value="<%= it.csrf %>">
<% Object.entries(it.hidden).forEach(([name, value]) => { %>
<input type="hidden" name="<%= name %>" value="<%= value %>">
<% }) %>
<div class="actions decision">
<button type="submit" name="decision" value="allow"><%= it.t('consent.allow') %></button>
<button type="submit" name="decision" value="deny" class="quiet"><%= it.t('consent.deny') %></button>
</div>
</form>
<div class="foot">
<p><%= it.t('consent.destination', { host: it.destination }) %></p>
<p><%= it.t('account.signed-in-as', { username: it.username }) %> · <a href="<%= it.switchAccount %>"><%= it.t('account.switch') %></a></p>
</div>
`;
